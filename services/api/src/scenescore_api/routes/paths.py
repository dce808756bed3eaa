"""The paths of routes, by name."""

from starlette.applications import Starlette


class RoutePaths:
    """Looks each name up once: the application's own look-up tries all routes each time, and an answer has six."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._templates: dict[str, str] = {}

    def __call__(self, route: str, **values: str) -> str:
        template = self._templates.get(route)
        if template is None:
            template = str(self._app.url_path_for(route, **{name: f"{{{name}}}" for name in values}))
            self._templates[route] = template
        return template.format_map(values)
