"""Where feeds go. A destination delivers one batch, and delivering it again changes nothing."""
