{#
    Runs SQL text as one transaction of its own, in one round trip. It commits without waiting for the disk: the last
    statement of a materialization commits normally and so makes all before it durable; a crash in between loses whole
    transactions, which the next run does again.

    What was read before (the contract's comparison, hooks) left a transaction of the driver's open, with ACCESS SHARE on
    all that the model reads: held while this one waits, it would stop another model's exchange, which this one waits for.
    So it ends first.
#}
{% macro run_in_transaction(name, sql, synchronous=false) %}
    {%- call statement(name, auto_begin=False) -%}
commit;
begin;
        {%- if not synchronous %}
set local synchronous_commit = off;
        {%- endif %}
{{ sql }}
-- The one place where a materialization commits.
commit;
    {%- endcall -%}
{% endmacro %}
