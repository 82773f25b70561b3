using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>Where the database file is and how SQLite treats it.</summary>
internal sealed class SqliteOptions
{
    /// <summary>The database file; its folder is created.</summary>
    [Required]
    public required string Path { get; set; }

    /// <summary>True (the default) has every COMMIT reach the disk. False survives a killed process but not a power cut.</summary>
    public bool SyncEveryCommit { get; set; } = true;

    /// <summary>How long to wait for another process's lock before the batch fails. Default 5 s, as sqlite3's shell and most guides advise.</summary>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Page cache of the writing connection in KiB. Default 64 MiB: the live part of a queue of some 100,000 messages.</summary>
    [Range(1, int.MaxValue)]
    public int CacheKilobytes { get; set; } = 64 * 1024;

    /// <summary>Part of the file read through memory mapping. Default 0, off: a disk that fails
    /// under a mapping kills the process instead of failing a batch.</summary>
    [Range(0, long.MaxValue)]
    public long MmapBytes { get; set; }

    /// <summary>Log pages after which a commit moves them into the file. Default 8,192 (32 MiB): hot pages are moved once and not for every batch.</summary>
    [Range(1, int.MaxValue)]
    public int CheckpointPages { get; set; } = 8_192;

    /// <summary>Most time spent on checking the file after an unclean end. Default 10 s, some gigabytes; what was not reached is taken as sound.</summary>
    public TimeSpan CheckTimeLimit { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most pages of 4 KiB the file may have; 0 (the default) sets no bound but the disk's.</summary>
    [Range(0, int.MaxValue)]
    public int MaxPages { get; set; }
}
