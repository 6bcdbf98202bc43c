"""Take out of the pictures that everybody may see what else was in the files that were sent: colour profiles and
comments. They went along in every mail, and a record could not be printed under a logo with a large profile.
"""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
PARTS_OF_PNG = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
NOTES_IN_JPEG = (*range(0xE1, 0xEE), 0xEF, 0xFE)
BEGIN_OF_PIXELS = 0xDA


def upgrade() -> None:
    bind = op.get_bind()
    for row_id in bind.scalars(sa.text("SELECT id FROM picture")).all():
        kept = bytes(
            bind.scalars(sa.text("SELECT content FROM picture WHERE id = :id"), {"id": row_id}).one()
        )
        plain = pixels_of(kept)
        if plain != kept:
            bind.execute(
                sa.text("UPDATE picture SET content = :content, digest = :digest WHERE id = :id"),
                {"content": plain, "digest": sha256(plain).hexdigest(), "id": row_id},
            )


def pixels_of(content: bytes) -> bytes:
    """The same picture, part by part: as the library wrote it, so that nothing is looked at twice."""
    if content.startswith(PNG):
        return pixels_of_png(content)
    return pixels_of_jpeg(content) if content.startswith(JPEG) else content


def pixels_of_png(content: bytes) -> bytes:
    kept, at = [PNG], len(PNG)
    while at < len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4])
        if content[at + 4 : at + 8] in PARTS_OF_PNG:
            kept.append(content[at:end])
        at = end
    return b"".join(kept)


def pixels_of_jpeg(content: bytes) -> bytes:
    kept, at = [JPEG], len(JPEG)
    while at + 4 <= len(content) and content[at + 1] != BEGIN_OF_PIXELS:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        if content[at + 1] not in NOTES_IN_JPEG:
            kept.append(content[at:end])
        at = end
    return b"".join((*kept, content[at:]))


def downgrade() -> None:
    """What was taken out is nobody's to put back."""
