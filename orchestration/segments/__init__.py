"""The analyst's commands of segments: preview, explain, backtest, new, test. Never the build's."""
