{#
    post-hook of a seed: its table, filled, becomes what its config says, once; later runs replace the rows in place.
    Without a cluster, or without a placement, nothing.
#}
{% macro place_seed() %}
    {%- set placement = pg_lifecycle.placement_of(model) -%}
    {%- if placement.kind != 'local' and pg_lifecycle.compare_placement(this, placement) -%}
        {{- return(pg_lifecycle.place_table(this, placement)) -}}
    {%- endif -%}
    {{- return('') -}}
{% endmacro %}
