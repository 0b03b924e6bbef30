"""An e-mail address as a value, and how it is kept: sealed, indexed, admitted.

Plain text exists only between opening a blob and the SMTP dialogue. This package knows no table.
"""
