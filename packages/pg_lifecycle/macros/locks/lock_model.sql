{#
    Lets one build at a time work on a relation. A second build waits up to the var `wait_for_other_build` (default 5
    minutes), then stops with the process id of the one that works. It then reads the state anew and finds nothing to
    do.

    Session advisory locks, given back by `unlock_model`, or by PostgreSQL when the connection ends. Any role may take
    any advisory lock, a reader too, so none is waited for by its key alone: each build takes a key of its own, random,
    in the relation's family (the first of the two numbers), then looks for others of the family, and backs off where
    there is one. Only sessions whose role may act as this one count: what a reader takes stops nobody.

    The transaction in which dbt compared the contract ends first: a build that waits here holds no lock that the one it
    waits for may need.
#}
{% macro lock_model(relation) %}
    {%- set wait = var('wait_for_other_build', '5 minutes') -%}
    {%- call statement('lock_model', auto_begin=False) -%}
commit;
do $lock$
declare
    family constant integer := {{ pg_lifecycle.lock_family(relation) }};
    deadline constant timestamptz := clock_timestamp() + interval '{{ wait }}';
    own_key integer;
    holder integer;
begin
    loop
        own_key := (random() * 2147483646)::integer;
        continue when not pg_try_advisory_lock(family, own_key);
        select pg_locks.pid into holder
        from pg_catalog.pg_locks
        inner join pg_catalog.pg_stat_activity on pg_stat_activity.pid = pg_locks.pid
        where
            pg_locks.locktype = 'advisory' and pg_locks.granted and pg_locks.objsubid = 2
            and pg_locks.database = (select oid from pg_catalog.pg_database where datname = current_database())
            and pg_locks.classid::bigint = family::bigint & 4294967295
            and pg_locks.pid != pg_backend_pid()
            and pg_has_role(pg_stat_activity.usesysid, current_user, 'usage')
        limit 1;
        exit when holder is null;
        perform pg_advisory_unlock(family, own_key);
        if clock_timestamp() > deadline then
            raise exception using
                message = {{ pg_lifecycle.literal('another build is working on ' ~ relation.render()) }}
                    || ' (server process ' || holder || ')',
                hint = 'Wait for it to end, or raise the var wait_for_other_build ({{ wait }}).';
        end if;
        perform pg_sleep(0.05 + random() * 0.1);
    end loop;
end
$lock$;
    {%- endcall -%}
{% endmacro %}
