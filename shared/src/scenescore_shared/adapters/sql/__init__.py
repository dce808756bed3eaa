"""SQLAlchemy Core on PostgreSQL and SQLite: tables, engines, the job repository and the migrations."""
