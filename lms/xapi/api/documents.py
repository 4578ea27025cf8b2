"""Documents of tools: states of a learner in an activity, profiles of activities and of agents.

xAPI 1.0.3, part three, 2.2, 2.3, 2.6 and 2.7. A state without registration is a document of its
own; a list or the deletion of all without registration is about those of every registration.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView

from lms.xapi.api.parameters import (
    agent_parameter,
    instant_parameter,
    iri_parameter,
    parameters,
    uuid_parameter,
)
from lms.xapi.api.wire import (
    MOST_DOCUMENT_BYTES,
    RefusedOnTheWire,
    bp,
    json_answer,
    names_1_0_3,
    preconditions,
    request_key,
    speaks_2_0,
    with_key,
)
from lms.xapi.errors import BadParameter
from lms.xapi.models import KeyScope
from lms.xapi.models.documents import DocumentKind, StoredDocument
from lms.xapi.services import documents
from lms.xapi.services.access import check_document
from lms.xapi.services.documents import DocumentPlace, SentDocument
from lms.xapi.services.store import agent_key

_LONGEST_TYPE = 200  # characters of a media type


@dataclass(frozen=True)
class Resource:
    """A resource of documents: needed are the parameters of the place, `name` is the document's."""

    kind: DocumentKind
    needed: tuple[str, ...]
    name: str
    optional: tuple[str, ...] = ()

    def place(self, *, more: tuple[str, ...]) -> tuple[DocumentPlace, dict[str, str]]:
        """The place that the request names, and all parameters. Raises BadParameter."""
        sent = parameters((*self.needed, *self.optional, *more), self.needed)
        agent = agent_parameter(sent, "agent")
        registration = uuid_parameter(sent, "registration")
        activity = iri_parameter(sent, "activityId")
        key = agent_key(agent) if agent else ""
        check_document(request_key(), activity=activity, agent=agent, registration=registration)
        return DocumentPlace(self.kind, activity or "", key or "", registration), sent


STATE = Resource(DocumentKind.STATE, ("activityId", "agent"), "stateId", ("registration",))
ACTIVITY_PROFILE = Resource(DocumentKind.ACTIVITY_PROFILE, ("activityId",), "profileId")
AGENT_PROFILE = Resource(DocumentKind.AGENT_PROFILE, ("agent",), "profileId")


class Documents(MethodView):
    """GET (and HEAD), PUT, POST and DELETE of one resource."""

    init_every_request = False

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def get(self) -> ResponseReturnValue:
        """One document, or the names of those at the place."""
        name = self.resource.name
        place, sent = self.resource.place(more=(name, "since"))
        since = instant_parameter(sent, "since")
        if name not in sent:
            names, newest = documents.list_names(place, since)
            answer = json_answer(names)
            answer.last_modified = newest
            return answer
        document = documents.find_document(place, self._name(sent))
        if document is None:
            raise RefusedOnTheWire(404, f"there is no document with this {name}")
        return _give(document)

    def put(self) -> ResponseReturnValue:
        """Store a document."""
        place, name = self._one()
        is_state = place.kind == DocumentKind.STATE
        document = documents.put_document(
            place,
            name,
            _sent(),
            preconditions(),
            key_id=request_key().id,
            may_overwrite=is_state and not speaks_2_0(),
            may_be_new=is_state or not names_1_0_3(),
        )
        answer = Response(status=204)
        answer.set_etag(document.sha1)
        return answer

    def post(self) -> ResponseReturnValue:
        """Merge a JSON object into a document."""
        place, name = self._one()
        documents.post_document(
            place,
            name,
            _sent(),
            preconditions(),
            key_id=request_key().id,
            most_bytes=MOST_DOCUMENT_BYTES,
        )
        return Response(status=204)

    def delete(self) -> ResponseReturnValue:
        """Delete a document; of states also all at the place."""
        is_state = self.resource.kind == DocumentKind.STATE
        if is_state and self.resource.name not in request.args:
            place, _ = self.resource.place(more=())
            documents.delete_all(place)
        else:
            place, name = self._one()
            documents.delete_document(place, name, preconditions())
        return Response(status=204)

    def _one(self) -> tuple[DocumentPlace, str]:
        place, sent = self.resource.place(more=(self.resource.name,))
        return place, self._name(sent)

    def _name(self, sent: dict[str, str]) -> str:
        name = sent.get(self.resource.name)
        if not name:
            raise BadParameter(self.resource.name, "is needed")
        return name


def _sent() -> SentDocument:
    """Body and media type of the request."""
    content_type = request.headers.get("Content-Type") or "application/octet-stream"
    if len(content_type) > _LONGEST_TYPE or not content_type.isprintable():
        raise RefusedOnTheWire(
            400, f"the Content-Type must be printable, with {_LONGEST_TYPE} signs at most"
        )
    return SentDocument(request.get_data(cache=False), content_type)


def _give(document: StoredDocument) -> Response:
    """The bytes that were stored, or word that the client has them already."""
    unwanted = preconditions().if_none_match
    if unwanted is not None and unwanted & {"*", document.sha1}:
        answer = Response(status=304)
    else:
        answer = Response(document.content, content_type=document.content_type)
        answer.last_modified = document.updated_at
    answer.set_etag(document.sha1)
    return answer


for path, endpoint, resource, scope in (
    ("/activities/state", "state", STATE, KeyScope.STATE),
    ("/activities/profile", "activity_profile", ACTIVITY_PROFILE, KeyScope.PROFILE),
    ("/agents/profile", "agent_profile", AGENT_PROFILE, KeyScope.PROFILE),
):
    view = with_key(scope)(Documents.as_view(endpoint, resource))
    bp.add_url_rule(path, endpoint, view)
