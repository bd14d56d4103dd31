"""JavaScript and TypeScript workers before an engine runs them: their modules, their format, bundling, source maps."""
