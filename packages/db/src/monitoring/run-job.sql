grant select on private.jobs to authenticated;
grant select on private.job_runs to authenticated;

-- Rows that are changed in place, again and again.
alter table private.jobs set (fillfactor = 50);

-- Runs a job of the list and records how it went: what pg_cron and the local stack call. Never two
-- runs of a job at once (then null). A job that fails is undone and recorded, and doesn't fail the
-- run itself, so that the record stays. Gives what the job gave, or how many rows it touched.
create or replace function private.run_job(job_name text) returns bigint
language plpgsql set search_path = ''
as $$
declare
  job private.jobs;
  began timestamptz := clock_timestamp();
  answer text;
  touched bigint := 0;
  fault text;
begin
  select * into job from private.jobs where name = job_name;
  if not found then
    raise exception 'There is no job "%"', job_name using errcode = 'P0002';
  end if;
  if not pg_try_advisory_xact_lock(hashtextextended('job ' || job_name, 0)) then
    return null;
  end if;
  begin
    if job.statement ilike 'select %' then
      execute job.statement into answer;
      touched := coalesce(substring(answer from '^\d{1,18}$'), '0')::bigint;
    else
      execute job.statement;
      get diagnostics touched = row_count;
    end if;
    -- What is told at commit is told here, so that its failure is the job's.
    set constraints all immediate;
  exception when query_canceled or others then
    fault := left(format('%s (%s)', sqlerrm, sqlstate), 1000);
  end;
  perform private.record_job_run(job, began, touched, fault);
  if fault is not null then
    raise warning 'Job % failed: %', job_name, fault;
  end if;
  return touched;
end;
$$;

-- Keeps how a run went. What runs every few seconds leaves a row only when it fails, and changes
-- its line in the list only when it did something, or every half minute.
create or replace function private.record_job_run(
  job private.jobs,
  began timestamptz,
  touched bigint,
  fault text
)
returns void
language plpgsql set search_path = ''
as $$
declare
  ended timestamptz := clock_timestamp();
  is_quick boolean := job.schedule like '% seconds';
begin
  if fault is not null then
    update private.job_runs
    set finished_at = ended, repeats = repeats + 1
    where id = (select max(id) from private.job_runs where name = job.name)
      and not is_ok
      and error = fault;
  end if;
  if (fault is not null and not found) or (fault is null and not is_quick) then
    insert into private.job_runs (name, started_at, finished_at, is_ok, row_count, error)
    values (job.name, began, ended, fault is null, touched, fault);
  end if;
  if is_quick and fault is null and touched = 0 and job.last_ok
    and job.last_finished_at > ended - interval '30 seconds'
  then
    return;
  end if;
  update private.jobs
  set
    last_finished_at = ended,
    last_ok = fault is null,
    last_rows = touched,
    last_ms = extract(epoch from ended - began) * 1000,
    last_error = coalesce(fault, last_error),
    last_failed_at = case when fault is null then last_failed_at else ended end,
    failures = failures + (fault is not null)::integer
  where name = job.name;
end;
$$;
