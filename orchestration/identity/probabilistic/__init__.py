"""Links between contacts that share no identifier, by Splink: weighed, proposed, pictured."""
