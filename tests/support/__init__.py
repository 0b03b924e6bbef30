"""What tests stand on: servers, browsers and builders. Nothing in app/ imports it."""
