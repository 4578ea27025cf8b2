"""A page of a discussion as a tree of posts, and words around a search hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from lms.accounts.models import User
from lms.core.markdown import plain_text
from lms.core.text import fold, search_words
from lms.forums.models import MAX_TEXT
from lms.forums.queries import PostHead

AROUND = 120  # signs before and after a hit
LONGEST_QUOTE = 1500  # signs


@dataclass
class Node:
    """A post as this reader finds it, with the replies that are drawn below it.

    is_readable: whether its text is shown to the reader. says_to_whom: whether it replies to a
    post that is neither the first one nor drawn right above. html: what is drawn of it.
    """

    post: PostHead
    is_unread: bool
    is_readable: bool
    is_own: bool
    is_by_staff: bool
    says_to_whom: bool = False
    html: Markup | None = None
    replies: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Thread:
    """One page of a discussion: its posts in order, and those of them that stand at its edge."""

    nodes: list[Node]
    roots: list[Node]


def make_thread(
    posts: Sequence[PostHead],
    user: User,
    *,
    is_moderator: bool,
    last_read_id: int,
) -> Thread:
    """The tree of one page. Replies to the first post stand beside it, deeper ones below theirs."""
    thread = Thread([], [])
    open_nodes: list[Node] = []  # the newest node of each level
    for post in posts:
        is_own = post.author_id == user.id
        node = Node(
            post=post,
            is_unread=post.id > last_read_id and not is_own and post.is_shown,
            is_readable=not post.is_deleted and (not post.is_hidden or is_own or is_moderator),
            is_own=is_own,
            is_by_staff=post.is_by_staff,
        )
        level = max(0, post.depth - 1)
        del open_nodes[level:]
        above = open_nodes[-1] if open_nodes and len(open_nodes) == level else None
        (above.replies if above else thread.roots).append(node)
        thread.nodes.append(node)
        if len(open_nodes) == level:
            open_nodes.append(node)
        is_drawn_above = above is not None and above.post.id == post.parent_id
        node.says_to_whom = (
            post.parent_id is not None and not post.replies_to_opening and not is_drawn_above
        )
    return thread


def quotation(text: str) -> str:
    """A text as a Markdown quotation with room to write below, without what it quotes itself."""
    own = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))
    own = own.strip() or text
    cut = own if len(own) <= LONGEST_QUOTE else own[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
    return "\n".join(f"> {line}".rstrip() for line in cut.splitlines()) + "\n\n"


def snippet(text: str, query: str) -> Markup:
    """The words around the first hit, with all hits marked; accents and case do not matter."""
    plain = plain_text(text, MAX_TEXT)
    folded, origin = [], []
    for index, sign in enumerate(plain):
        for part in fold(sign):
            folded.append(part)
            origin.append(index)
    searched = "".join(folded)
    spans: list[tuple[int, int]] = []
    for word in search_words(query):
        at = searched.find(word)
        while at >= 0:
            spans.append((origin[at], origin[at + len(word) - 1] + 1))
            at = searched.find(word, at + len(word))
    first = min(spans)[0] if spans else 0
    start = max(0, first - AROUND)
    end = min(len(plain), first + AROUND * 2)
    while start > 0 and not plain[start - 1].isspace() and first - start < AROUND + 30:
        start -= 1
    html = Markup("…") if start else Markup("")
    here = start
    for begin, finish in sorted(spans):
        if begin < here or finish > end:
            continue
        html += escape(plain[here:begin]) + Markup("<mark>{}</mark>").format(plain[begin:finish])
        here = finish
    html += escape(plain[here:end])
    return html + Markup("…") if end < len(plain) else html
