#pragma once

/// Tells SQLite not to count the memory that it takes: for that it would hold one lock for all connections whenever it
/// takes or gives back any. Of no effect once a connection has been opened.
///
/// Source: https://www.sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS.
///
/// Returns SQLite's result code: 0, or SQLITE_MISUSE when it was too late.
int onepoint_sqlite_without_counts(void);
