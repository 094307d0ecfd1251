"""A local stand-in for Twilio with a page: receives text messages on Twilio's wire protocol and shows them."""
