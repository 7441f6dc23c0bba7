//! MySQL's types, each with values that show what becomes of it.

use throwaway_server::Flavor;

/// A column of the test's table.
pub(super) struct Column {
    /// Its type, as it is declared.
    pub(super) sql: &'static str,
    /// Its values, as they stand in SQL.
    pub(super) values: &'static [&'static str],
    /// The only server that has the type.
    pub(super) only: Option<Flavor>,
}

const fn column(sql: &'static str, values: &'static [&'static str]) -> Column {
    Column { sql, values, only: None }
}

const fn on(only: Flavor, sql: &'static str, values: &'static [&'static str]) -> Column {
    Column { sql, values, only: Some(only) }
}

/// Whatever text may mean to one field or another.
const TEXTS: &[&str] = &[
    "''",
    "'plain é😀'",
    "'  outer space '",
    "'two\\nlines'",
    "'12.50'",
    "'yes'",
    "'new'",
    "'new,done'",
    "'2024-02-29'",
    "'2024-02-29 12:34:56'",
    "'12:34'",
    "'pat@example.com'",
    "'https://example.com/a?b=1'",
    "'+49 30 901820'",
    "'192.0.2.1'",
    "'#ff8800'",
    "'6500000000000000000000c3'",
    "'{\"first_name\": \"Ann\", \"last_name\": \"Lee\"}'",
];
const SHORT: &[&str] = &["'new'", "'12'", "'é'"];
const BYTES: &[&str] = &["0x6e6577", "0x00ff"];

/// Every type of the manual's table of values.
pub(super) const COLUMNS: &[Column] = &[
    column("TINYINT", &["-128", "0", "1", "127"]),
    column("TINYINT UNSIGNED", &["0", "255"]),
    column("BOOLEAN", &["TRUE", "FALSE"]),
    column("SMALLINT", &["-32768", "32767"]),
    column("SMALLINT UNSIGNED", &["65535"]),
    column("MEDIUMINT", &["-8388608", "8388607"]),
    column("MEDIUMINT UNSIGNED", &["16777215"]),
    column("INT", &["-2147483648", "0", "3", "2147483647"]),
    column("INT UNSIGNED", &["4294967295"]),
    column("INT(8) ZEROFILL", &["42"]),
    column("BIGINT", &["-9223372036854775808", "9007199254740993", "9223372036854775807"]),
    column("BIGINT UNSIGNED", &["18446744073709551615"]),
    column("YEAR", &["1901", "2155", "0"]),
    column("BIT(1)", &["b'1'", "b'0'"]),
    column("BIT(10)", &["b'1000000001'"]),
    column("BIT(64)", &["0xFFFFFFFFFFFFFFFF"]),
    column("DECIMAL(10,2)", &["-0.05", "2.50", "99999999.99"]),
    column(
        "DECIMAL(65,30)",
        &["-12345678901234567890123456789012345.123456789012345678901234567891", "0.1"],
    ),
    column("FLOAT", &["16777216", "0.1", "1e-30"]),
    column("DOUBLE", &["0.1", "-1.7976931348623157e308", "5e-324"]),
    column(
        "DATE",
        &["'2024-02-29'", "'1000-01-01'", "'9999-12-31'", "'0000-00-00'", "'2024-00-00'"],
    ),
    column(
        "DATETIME",
        &["'2024-02-29 12:34:56'", "'1000-01-01 00:00:00'", "'0000-00-00 00:00:00'"],
    ),
    column("DATETIME(6)", &["'2024-02-29 12:34:56.000001'", "'9999-12-31 23:59:59.999999'"]),
    column("TIMESTAMP NULL", &["'2024-02-29 12:34:56'", "'2038-01-19 03:14:07'"]),
    column("TIMESTAMP(6) NULL", &["'2024-02-29 12:34:56.123456'"]),
    column("TIME", &["'12:34:56'", "'00:00:00'", "'-838:59:59'", "'25:00:00'"]),
    column("TIME(6)", &["'12:34:56.000001'", "'-25:00:00.000001'"]),
    column("CHAR(10)", SHORT),
    column("VARCHAR(100)", TEXTS),
    column("VARCHAR(10) CHARACTER SET latin1", &["'€ é'"]),
    column("VARCHAR(10) CHARACTER SET utf16", &["'日本 ж😀'"]),
    column("TINYTEXT", SHORT),
    column("TEXT", &["'new'", "CONCAT('a', CHAR(9), 'b', CHAR(13, 10), 'c')"]),
    column("MEDIUMTEXT", SHORT),
    column("LONGTEXT", &["'new'", "REPEAT('x', 65537)"]),
    column("ENUM('new','done','never')", &["'new'", "'never'"]),
    column("SET('new','done','never')", &["''", "'done,new'", "'new,never'"]),
    column("BINARY(4)", &["0x6e657721", "0x00ff0000"]),
    column("BINARY(16)", &["0x123e4567e89b12d3a456426655440000"]),
    column("VARBINARY(10)", BYTES),
    column("TINYBLOB", BYTES),
    column("BLOB", BYTES),
    column("MEDIUMBLOB", BYTES),
    column("LONGBLOB", BYTES),
    column(
        "JSON",
        &[
            "'null'",
            "'\"new\"'",
            "'12.5'",
            "'true'",
            "'[\"new\", \"done\"]'",
            "'{\"first_name\": \"Ann\", \"last_name\": \"Lee\"}'",
            "'{\"n\": 12345678901234567890}'",
        ],
    ),
    column("POINT", &["ST_GeomFromText('POINT(1 2)')"]),
    column("GEOMETRY", &["ST_GeomFromText('LINESTRING(0 0,1 1)')"]),
    on(Flavor::MariaDb, "UUID", &["'123e4567-e89b-12d3-a456-426655440000'"]),
    on(Flavor::MariaDb, "INET4", &["'192.0.2.1'"]),
    on(Flavor::MariaDb, "INET6", &["'2001:db8::1'"]),
    on(Flavor::MySql, "VECTOR(3)", &["STRING_TO_VECTOR('[1,2,3]')"]),
];
