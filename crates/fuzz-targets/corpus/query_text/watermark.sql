SELECT `id`, "a:last_sync_time", x AS y -- :last_sync_time
FROM t /* :last_sync_time */ WHERE (:last_sync_time IS NULL OR u >= :last_sync_time) AND a::int = 1 AND b := '12:30:00'