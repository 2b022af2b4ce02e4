"""An assessment as JSON, SARIF, Markdown, a page and text for the terminal."""
