{# Gives back what `lock_model` took, so that another build can go on. #}
{% macro unlock_model(relation) %}
    {%- call statement('unlock_model', auto_begin=False) -%}
        select pg_advisory_unlock({{ pg_lifecycle.lock_family(relation) }}, objid::bigint::integer)
        from pg_catalog.pg_locks
        where
            locktype = 'advisory' and objsubid = 2 and pid = pg_backend_pid()
            and classid::bigint = {{ pg_lifecycle.lock_family(relation) }}::bigint & 4294967295
    {%- endcall -%}
{% endmacro %}
