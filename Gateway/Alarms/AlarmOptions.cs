using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Alarms;

/// <summary>When this process raises alarms, and what it does about them. Names and defaults follow EMQ X 4.x's keys `alarm.*`, `os_mon.*`, `vm_mon.*` and `conn_congestion.*`.</summary>
internal sealed class AlarmOptions
{
    public const string Section = "Alarms";

    /// <summary>What follows a change: `log`, `publish` (to `$SYS/brokers/NODE/alarms/…`), both with a comma between, or nothing.</summary>
    [RegularExpression(" *((log|publish) *(, *(log|publish) *)?)?")]
    public string Actions { get; set; } = "log,publish";

    /// <summary>Alarms that are over and remembered; the oldest go.</summary>
    [Range(1, 100_000)]
    public int HistorySize { get; set; } = 1000;

    /// <summary>How long they are remembered.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")]
    public TimeSpan Validity { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Alarms that may be active at a time; further ones are counted (`alarms.refused`) and left out.</summary>
    [Range(10, 100_000)]
    public int MaxActive { get; set; } = 1000;

    /// <summary>How often the processors are looked at.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan CpuCheckInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Use of the processors, in percent, above which there is an alarm.</summary>
    [Range(0d, 100d)]
    public double CpuHighWatermark { get; set; } = 80;

    /// <summary>Below which it is over.</summary>
    [Range(0d, 100d)]
    public double CpuLowWatermark { get; set; } = 60;

    /// <summary>How often memory is looked at.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan MemoryCheckInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Use of the machine's, or the container's, memory in percent.</summary>
    [Range(0d, 100d)]
    public double SystemMemoryHighWatermark { get; set; } = 70;

    /// <summary>What of it this process has. EMQ X's 5 is for each of its many small processes; here there is one.</summary>
    [Range(0d, 100d)]
    public double ProcessMemoryHighWatermark { get; set; } = 60;

    /// <summary>How often threads are looked at, which are what comes nearest to EMQ X's processes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan ProcessCheckInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Threads in percent of those that there may be.</summary>
    [Range(0d, 100d)]
    public double ProcessHighWatermark { get; set; } = 80;

    [Range(0d, 100d)]
    public double ProcessLowWatermark { get; set; } = 60;

    /// <summary>How often the broker looks at itself: connections, store, other nodes, sources, congested clients.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections in percent of those that may be open.</summary>
    [Range(0d, 100d)]
    public double ConnectionHighWatermark { get; set; } = 80;

    [Range(0d, 100d)]
    public double ConnectionLowWatermark { get; set; } = 75;

    /// <summary>Writes that wait for the store, in percent of those that may.</summary>
    [Range(0d, 100d)]
    public double StoreHighWatermark { get; set; } = 80;

    [Range(0d, 100d)]
    public double StoreLowWatermark { get; set; } = 50;

    /// <summary>How long it is told that a node died which does not come back.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan NodeDownValidity { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether a client whose socket takes nothing is an alarm.</summary>
    public bool Congestion { get; set; }

    /// <summary>For how long it must take nothing, and how long all is well before the alarm is over.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan CongestionSustain { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether an action is among <see cref="Actions"/>.</summary>
    public bool Does(string action) => Actions.Split(',', StringSplitOptions.TrimEntries).Contains(action);
}
