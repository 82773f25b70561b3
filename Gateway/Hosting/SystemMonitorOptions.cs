using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Hosting;

/// <summary>From when on this process complains of itself below `$SYS/brokers/…/sysmon/`.</summary>
internal sealed class SystemMonitorOptions
{
    public const string Section = "SysMon";

    /// <summary>A garbage collection has stopped all threads for so long; zero never complains.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan LongGc { get; set; }

    /// <summary>An event loop has let work wait for so long; zero never complains.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan LongSchedule { get; set; } = TimeSpan.FromMilliseconds(240);

    /// <summary>Whether it complains that a link to another process was full.</summary>
    public bool BusyDistPort { get; set; } = true;
}
