{#
    SQL for the beginning of a transaction that changes what lies on a cluster; empty where the database is none.

    One connection to each worker, so that distributed tables and the reference tables that their foreign keys point to
    may be touched in any order. SET LOCAL goes on to the workers: a session that reads by way of a worker holds its
    locks there, and the short `lock_timeout` of `retry_locks` must hold there too. Shards on the coordinator itself are
    reached over a connection as well, for the same reason. From here on a SET stands in `alone`.
#}
{% macro one_connection_per_worker() %}
    {%- if pg_lifecycle.is_citus() -%}
set local citus.multi_shard_modify_mode = 'sequential';
set local citus.enable_local_execution = off;
set local citus.propagate_set_commands = 'local';
    {%- endif -%}
{% endmacro %}
