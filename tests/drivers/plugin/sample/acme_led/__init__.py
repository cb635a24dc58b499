"""The Acme LED strip, an invented model: what a driver outside Paihao's repository looks like."""
