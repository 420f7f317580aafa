{#
    Lets one build at a time work on a relation: a session advisory lock, given back by `unlock_model`, or by PostgreSQL
    when the connection ends. A second build waits up to the var `wait_for_other_build` (default 5 minutes), then stops
    with the process id of the one that works. It then reads the state anew and finds nothing left to do.
#}
{% macro lock_model(relation) %}
    {%- call statement('lock_model', auto_begin=False) -%}
do $lock$
declare
    lock_key constant bigint := hashtextextended('{{ relation.render() }}', 0);
    deadline constant timestamptz := clock_timestamp() + interval '{{ var("wait_for_other_build", "5 minutes") }}';
    holder integer;
begin
    while not pg_try_advisory_lock(lock_key) loop
        select pid into holder
        from pg_locks
        where
            locktype = 'advisory' and granted
            and database = (select oid from pg_database where datname = current_database())
            and (classid::bigint << 32 | objid::bigint) = lock_key;
        if clock_timestamp() > deadline then
            raise exception 'another build is working on {{ relation.render() }} (server process %)', holder
                using hint = 'Wait for it to end, or raise the var wait_for_other_build ({{ var("wait_for_other_build", "5 minutes") }}).';
        end if;
        perform pg_sleep(0.1);
    end loop;
end
$lock$;
    {%- endcall -%}
{% endmacro %}


{# Gives back the lock of `lock_model`, so that another build can go on. #}
{% macro unlock_model(relation) %}
    {%- call statement('unlock_model', auto_begin=False) -%}
        select pg_advisory_unlock(hashtextextended('{{ relation.render() }}', 0))
    {%- endcall -%}
{% endmacro %}
