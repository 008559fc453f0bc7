"""What a store in InfluxDB 2 needs to be there: its bucket, one of hourly figures for other tools, and the task between
them. Only what differs is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from influxdb_client import (
    Bucket,
    BucketRetentionRules,
    InfluxDBClient,
    PatchBucketRequest,
    PatchRetentionRule,
    PostBucketRequest,
    Task,
    TaskCreateRequest,
    TaskUpdateRequest,
)
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from adapters.influx_client import InfluxAddress, said_by
from adapters.influx_series import hourly_task
from energy.errors import EnergyError, StoreError

_DAY_S = 86_400
_TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the server: what it is, in words, and how it is done."""

    told: str
    do: Callable[[], object]
    deletes: bool = False


def set_up(
    at: InfluxAddress, keep_days: int | None, hours_keep_days: int | None, *, dry_run: bool, may_delete: bool = False
) -> list[str]:
    """Bring the server to where the store wants it; what was changed, or would be. None leaves what is kept as it is.

    StoreError where the server cannot be asked, or does not let one; EnergyError, before anything is changed, where
    what is there would be deleted and it may not.
    """
    try:
        with InfluxDBClient(at.url, token=at.token, org=at.org, timeout=_TIMEOUT_MS, ssl_ca_cert=at.ca) as client:
            steps = list(_steps(client, at, keep_days, hours_keep_days))
            deleting = [step.told for step in steps if step.deletes]
            if deleting and not (may_delete or dry_run):
                raise EnergyError(
                    f"{'; '.join(deleting)}: this deletes what is older; say --delete-older if it is meant"
                )
            for step in [] if dry_run else steps:
                step.do()
    except ApiException as error:
        raise StoreError(f"{at} refuses: {error.status} {error.reason}: {said_by(error)}") from error
    except HTTPError as error:
        raise StoreError(f"{at} cannot be reached: {error}") from error
    return [step.told for step in steps]


def _steps(client: Any, at: InfluxAddress, keep_days: int | None, hours_keep_days: int | None) -> Iterator[Step]:
    found = client.organizations_api().find_organizations(org=at.org)
    if not found:
        raise StoreError(f"{at}: there is no organisation {at.org!r}")
    hourly = f"{at.bucket}_hourly"
    yield from _of_bucket(client, found[0].id, at.bucket, keep_days)
    yield from _of_bucket(client, found[0].id, hourly, hours_keep_days)
    yield from _of_task(client, found[0].id, at, hourly)


def _of_bucket(client: Any, org: str, name: str, keep_days: int | None) -> Iterator[Step]:
    buckets = client.buckets_api()
    there: Bucket | None = next(
        iter(_unless_missing(lambda: buckets.find_buckets(name=name, org_id=org).buckets)), None
    )
    if there is None:
        rules = [BucketRetentionRules(type="expire", every_seconds=(keep_days or 0) * _DAY_S)]
        request = PostBucketRequest(org_id=org, name=name, retention_rules=rules)
        yield Step(f"make bucket {name}, kept {_kept(keep_days or 0)}", lambda: buckets.create_bucket(request))
        return
    now_s = next((rule.every_seconds for rule in there.retention_rules or []), 0)
    if keep_days is not None and now_s != keep_days * _DAY_S:
        patched = [PatchRetentionRule(type="expire", every_seconds=keep_days * _DAY_S)]
        change = PatchBucketRequest(name=name, retention_rules=patched)
        yield Step(
            f"keep bucket {name} {_kept(keep_days)} in place of {_kept(now_s // _DAY_S)}",
            lambda: buckets._buckets_service.patch_buckets_id(bucket_id=there.id, patch_bucket_request=change),
            # None at all is for ever.
            deletes=keep_days > 0 and (now_s == 0 or keep_days * _DAY_S < now_s),
        )


def _of_task(client: Any, org: str, at: InfluxAddress, hourly: str) -> Iterator[Step]:
    tasks, title = client.tasks_api(), f"{at.name} of {at.bucket} by the hour"
    flux = hourly_task(title, at.bucket, at.name, hourly)
    there: Task | None = next(iter(_unless_missing(lambda: tasks.find_tasks(name=title, org_id=org))), None)
    if there is None:
        request = TaskCreateRequest(org_id=org, flux=flux, status="active")
        yield Step(f"make task {title!r}, into {hourly}", lambda: tasks.create_task(task_create_request=request))
    elif there.flux.strip() != flux.strip():
        change = TaskUpdateRequest(flux=flux)
        yield Step(f"change task {title!r}", lambda: tasks.update_task_request(there.id, change))


def _unless_missing(find: Callable[[], list[Any] | None]) -> list[Any]:
    """What is found; some versions say that nothing is there by an empty list, some by an error."""
    try:
        return find() or []
    except ApiException as error:
        if error.status == 404:
            return []
        raise


def _kept(days: int) -> str:
    return f"for {days} days" if days else "for ever"
