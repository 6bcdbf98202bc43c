"""Files that people send: only to pages that say how much they take, and never written to a disk in the clear."""

from __future__ import annotations

from io import BytesIO
from typing import IO

from flask import Request, Response, current_app, request

ROOM_FOR_FIELDS = 64 * 1024
"""What the other fields of the form and the borders between the parts may take beside the files."""


class RoomyRequest(Request):
    """A request whose size limit is that of its page, before anything of it is read."""

    @property
    def max_content_length(self) -> int | None:
        """The page's own limit in bytes (`takes=` at its route), else the one of the whole application."""
        takes = current_app.extensions.get("clinic_takes", {})
        if self.endpoint in takes:
            return int(takes[self.endpoint]) + ROOM_FOR_FIELDS
        return super().max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Keep the file in memory: the library would put a large one, unencrypted, into a temporary file."""
        return BytesIO()


def posted_files(field: str, *, most: int) -> list[bytes]:
    """The content of the files of this field; one more than `most` at the most. Their names are never looked at
    but to leave out a field in which nothing was chosen."""
    sent = [(one.filename, one.stream.read()) for one in request.files.getlist(field)[: most + 1]]
    return [content for name, content in sent if name or content]


DOWNLOAD = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""The headers of a file to keep, never to show."""


def as_download(content: bytes, mime: str, name: str) -> Response:
    """The file to keep, never to show: whatever it holds, the browser runs nothing of it on this site."""
    return Response(
        content,
        mimetype=mime,
        headers={**DOWNLOAD, "Content-Disposition": f'attachment; filename="{name}"'},
    )
