{#
    dbt's materialization `snapshot`, with one strategy more: `versions`, for a query that says itself from when to when
    each version was valid. The table is merged in place by the `unique_key` (key and first day), what the query no
    longer returns goes. Any other strategy is dbt's own.
#}
{% materialization snapshot, adapter='postgres' %}
    {%- if config.get('strategy') == 'versions' -%}
        {{ return(pg_lifecycle.materialization_upsert_postgres()) }}
    {%- endif -%}
    {{ return(dbt.materialization_snapshot_default()) }}
{% endmaterialization %}
