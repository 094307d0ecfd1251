"""A local mail server with a page: receives by SMTP, keeps, and shows what customers would have got."""
