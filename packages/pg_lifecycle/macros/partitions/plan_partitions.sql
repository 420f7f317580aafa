{#
    Decides for each period what to do and why: a pure function of its arguments (unit tested).

    rows: from `read_plan`. definition: hash of the SQL now. full_refresh: bool. rebuild_range: none, or [from, to] as
    ISO dates, both inclusive. window: [from, to] ISO dates, where a period may lie. retained_from: ISO date before
    which `detach_partitions` took everything away. Returns rows with `action` (`build`, `keep`, `refuse`) and `reason`
    added.
#}
{% macro plan_partitions(rows, definition, full_refresh=false, rebuild_range=none, window=none, retained_from=none) %}
    {%- set plan = [] -%}
    {%- for row in rows -%}
        {%- set in_range = rebuild_range and row.upper > rebuild_range[0] and row.lower <= rebuild_range[1] -%}
        {%- if row.existing_name and row.existing_upper != row.upper -%}
            {%- set action, reason = 'refuse', 'the existing partition ' ~ row.existing_name ~ ' ends at '
                ~ row.existing_upper ~ ': its granularity differs' -%}
        {%- elif row.overlapped -%}
            {%- set action, reason = 'refuse', 'overlaps the existing ' ~ row.overlapped
                ~ ': its granularity differs' -%}
        {%- elif not row.sources -%}
            {%- set action, reason = 'keep', 'no source delivers this period any more' -%}
        {%- elif retained_from and row.upper <= retained_from -%}
            {%- set action, reason = 'keep', 'archived: before ' ~ retained_from -%}
        {%- elif window and (row.lower < window[0] or row.lower > window[1]) -%}
            {%- set action, reason = 'refuse', 'outside the expected window ' ~ window[0] ~ ' to ' ~ window[1] -%}
        {%- elif row.is_name_taken -%}
            {%- set action, reason = 'refuse', 'another relation has the name ' ~ row.name ~ ': rename it' -%}
        {%- elif not row.existing_name -%}
            {%- set action, reason = 'build', 'new' -%}
        {%- elif full_refresh -%}
            {%- set action, reason = 'build', 'full refresh' -%}
        {%- elif in_range -%}
            {%- set action, reason = 'build', 'asked for by rebuild_range' -%}
        {%- elif row.forced -%}
            {%- set action, reason = 'build', 'asked for by also_rebuild' -%}
        {%- elif row.built_definition != definition -%}
            {%- set action, reason = 'build', 'the SQL of the model changed' -%}
        {%- elif row.built_sources != row.sources -%}
            {%- set action, reason = 'build', 'the source changed' -%}
        {%- else -%}
            {%- set action, reason = 'keep', 'up to date' -%}
        {%- endif -%}
        {%- do plan.append(dict(row, action=action, reason=reason)) -%}
    {%- endfor -%}
    {{- return(plan) -}}
{% endmacro %}
