"""A message: its bytes, how it leaves, what replies mean. It knows no newsletter and no reader."""
