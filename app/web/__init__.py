"""What any route may ask for: pages, problems, limits. It knows no capability behind them."""
