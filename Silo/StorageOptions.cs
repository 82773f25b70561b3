using System.ComponentModel.DataAnnotations;

namespace Broker.Silo;

/// <summary>Where the broker keeps what must last.</summary>
internal sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>The folder of the SQLite database; made if it is missing. Relative to the working directory.</summary>
    [Required]
    public string DataDirectory { get; set; } = "data";

    /// <summary>Whether every commit reaches the disk before it is acknowledged. False survives a killed process, but not a power cut.</summary>
    public bool SyncEveryCommit { get; set; } = true;

    /// <summary>Writes that may wait; further ones are refused (0x97).</summary>
    [Range(1000, 10_000_000)]
    public int MaxPendingWrites { get; set; } = 200_000;

    /// <summary>Most pages of 4 KiB of the database file; 0 is no limit but the disk's.</summary>
    [Range(0, int.MaxValue)]
    public int MaxPages { get; set; }

    /// <summary>The database file.</summary>
    public string DatabasePath => Path.GetFullPath(Path.Combine(DataDirectory, "broker.db"));
}
