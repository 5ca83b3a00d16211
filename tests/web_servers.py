"""Real Apache, nginx and Caddy on loopback with the configuration that a build generates."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

APACHE_MODULES = Path("/usr/lib/apache2/modules")
SERVERS = {"apache": "apache2", "nginx": "nginx", "caddy": "caddy"}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def apache_configuration(root: Path, folder: Path, port: int) -> str:
    """An Apache that reads .htaccess in its root."""
    modules = "".join(
        f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n"
        for name in (
            "mpm_event",
            "authz_core",
            "mime",
            "dir",
            "rewrite",
            "headers",
            "filter",
            "deflate",
        )
    )
    table = root / "web/apache/withdrawn.txt"
    if table.is_file():
        modules += f'RewriteMap lodpipe_withdrawn "txt:{table}"\n'
    return (
        f"{modules}ServerName localhost\nListen 127.0.0.1:{port}\nPidFile {folder}/pid\nErrorLog {folder}/error.log\nTypesConfig /etc/mime.types\n"
        f'Mutex file:{folder} default\nDocumentRoot "{root}"\n<Directory "{root}">\n  AllowOverride FileInfo Indexes Options=MultiViews\n'
        f"  Require all granted\n</Directory>\n"
    )


def start(
    server: str, root: Path, folder: Path, port: int, web: Path | None = None
) -> subprocess.Popen[bytes]:
    """A real server with the generated configuration, which is in `web` (default: web/ in the root)."""
    web = web or root / "web"
    program = shutil.which(SERVERS[server])
    assert program
    configuration = folder / "configuration"
    if server == "apache":
        shutil.copy(web / "apache/.htaccess", root / ".htaccess")
        configuration.write_text(apache_configuration(root, folder, port))
        command = [program, "-X", "-f", str(configuration)]
    elif server == "nginx":
        user = "user root;\n" if os.geteuid() == 0 else ""
        temporary = "".join(
            f"{name}_temp_path {folder};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration.write_text(
            f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}"
            f"include /etc/nginx/mime.types;\ninclude {web}/nginx/http.conf;\n"
            f"server {{ listen 127.0.0.1:{port}; root {root}; include {web}/nginx/server.conf; }}\n}}\n"
        )
        command = [program, "-c", str(configuration)]
    else:
        configuration.write_text(
            f"{{\n admin off\n auto_https off\n}}\nimport {web}/Caddyfile\nhttp://127.0.0.1:{port} {{\n root * {root}\n import lodpipe\n}}\n"
        )
        command = [program, "run", "--adapter", "caddyfile", "--config", str(configuration)]
    return launched(command, folder, port)


def launched(command: list[str], folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A process that answers at a port."""
    log = (folder / "output.log").open("wb")
    process = subprocess.Popen(
        command,
        stdout=log,
        stderr=log,
        env=os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder)},
    )
    for _ in range(100):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return process
        assert process.poll() is None, (folder / "output.log").read_text()
        time.sleep(0.05)
    raise AssertionError("the server does not answer")
