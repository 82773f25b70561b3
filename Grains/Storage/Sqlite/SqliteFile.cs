using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Checks a database file and sets a damaged one aside.</summary>
internal static class SqliteFile
{
    private const int InstructionsBetweenLooks = 100_000;

    /// <summary>Looks for damage after an unclean end, for a bounded time; what was not reached is taken as sound, because a killed process
    /// damages nothing and a lying disk shows at the first read of the page.</summary>
    /// <exception cref="SqliteException">The file is damaged.</exception>
    public static void Check(SqliteLink link, TimeSpan limit, TimeProvider clock)
    {
        var began = clock.GetTimestamp();
        raw.sqlite3_progress_handler(link.Handle, InstructionsBetweenLooks, _ => clock.GetElapsedTime(began) > limit ? 1 : 0, null);
        try
        {
            var finding = link.Query("PRAGMA quick_check(1)");
            if (finding != "ok") throw new SqliteException(finding ?? "quick_check found nothing", raw.SQLITE_CORRUPT);
        }
        catch (SqliteException error) when (error.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
        }
        finally
        {
            raw.sqlite3_progress_handler(link.Handle, 0, null, null);
        }
    }

    /// <summary>Moves the file and its log to names that say when and why.</summary>
    /// <returns>The new name of the file.</returns>
    public static string SetAside(string path, DateTimeOffset now)
    {
        var aside = $"{path}.corrupt-{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture)}";
        foreach (var suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
        {
            if (File.Exists(path + suffix)) File.Move(path + suffix, aside + suffix);
        }

        return aside;
    }
}
