using System.Globalization;

namespace Broker.Grains.Interfaces.Nodes;

/// <summary>Times as EMQ X writes them: the node's local time to the second.</summary>
public static class LocalTime
{
    public static string Format(DateTimeOffset time, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(time, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>How long something has lasted, such as `2 days, 0 hours, 5 minutes, 1 seconds`; units that are zero at the beginning are left out.</summary>
    public static string Describe(TimeSpan length)
    {
        (int Count, string Unit)[] parts = [(length.Days, "days"), (length.Hours, "hours"), (length.Minutes, "minutes"), (length.Seconds, "seconds")];
        return string.Join(", ", parts.SkipWhile(part => part.Count == 0 && part.Unit != "seconds").Select(part => $"{part.Count} {part.Unit}"));
    }
}
