"""The `lms` commands of the forums."""

from __future__ import annotations

import click
from sqlalchemy import or_, select, update

from lms.core.db import db, transaction
from lms.core.markdown import EDITION, render_for_all
from lms.forums.models import HEADING_SHIFT, Post

AT_ONCE = 200


@click.command("draw-posts")
def draw_posts() -> None:
    """Keep posts of before drawn too, so that pages with them come sooner."""
    count, last = 0, 0
    while True:
        with transaction():
            rows = db.session.execute(
                select(Post.id, Post.text)
                .where(
                    Post.id > last,
                    or_(Post.html_edition.is_(None), Post.html_edition != EDITION),
                )
                .order_by(Post.id)
                .limit(AT_ONCE)
            ).all()
            for post_id, text in rows:
                db.session.execute(
                    update(Post)
                    .where(Post.id == post_id, Post.text == text)
                    .values(
                        html=render_for_all(text, heading_shift=HEADING_SHIFT),
                        html_edition=EDITION,
                    )
                    .execution_options(synchronize_session=False)
                )
        if not rows:
            break
        count, last = count + len(rows), rows[-1].id
    click.echo(f"Drawn: {count} posts.")
