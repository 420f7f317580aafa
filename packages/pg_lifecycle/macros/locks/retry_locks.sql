{#
    A DO block that runs `statements` with short lock waits until it gets every lock.

    A statement that waits for ACCESS EXCLUSIVE makes every new reader queue behind it. So it waits only for the var
    `lock_wait` (default 20 ms, for each lock), lets the readers pass, and tries again, up to `lock_attempts_for`
    (default 5 minutes); then it stops with a message. The statements run in a subtransaction: a failed attempt leaves
    no lock and no change. Where something of somebody else's depends on what they drop, it is named, without
    PostgreSQL's hint to CASCADE. purpose: what is done, for the messages. plpgsql variables may be declared by
    `declare`.

    On a cluster a worker's lock timeout comes as an internal error with a text of Citus', and who is chosen to end a
    deadlock between nodes is cancelled, perhaps when the inner block has given way already: hence the outer one. SET
    LOCAL, because set_config() is not passed on to the workers.
#}
{% macro retry_locks(purpose, statements, declare='') %}
{%- set attempts_for = var('lock_attempts_for', '5 minutes') -%}
do $retry$
#variable_conflict use_column
declare
    deadline constant timestamptz := clock_timestamp() + interval '{{ attempts_for }}';
    dependent_objects text;
    {{ declare }}
begin
    loop
        begin
            begin
                set local lock_timeout = '{{ var("lock_wait", "20ms") }}';
                {{ statements }}
                exit;
            exception when dependent_objects_still_exist then
                get stacked diagnostics dependent_objects = pg_exception_detail;
                raise exception using
                    message = {{ pg_lifecycle.literal(purpose ~ ': others depend on what is to be replaced: ') }}
                        || dependent_objects,
                    hint = 'Nothing was changed. Let views read the table instead of its partition; '
                        'drop foreign keys that refer to it.';
            when lock_not_available or deadlock_detected then
                null;
            when internal_error then
                if sqlerrm not like 'failure on connection marked as essential%' then
                    raise;
                end if;
            end;
            perform pg_sleep(0.05 + random() * 0.1);
        exception when deadlock_detected then
            null;
        end;
        if clock_timestamp() > deadline then
            raise exception using
                message = {{ pg_lifecycle.literal(
                    purpose ~ ': no lock within ' ~ attempts_for ~ ', some session reads for longer'
                ) }},
                hint = 'See pg_stat_activity for long transactions, or raise the var lock_attempts_for.';
        end if;
    end loop;
end
$retry$;
{% endmacro %}
