using System.Text.Json.Nodes;

namespace Broker.Gateway.Alarms;

/// <summary>An alarm that begins when a reading rises above a mark, and ends when it falls below another.</summary>
/// <param name="High">In percent.</param>
/// <param name="Low">The same as <paramref name="High"/> if there is one mark only.</param>
/// <param name="Message">From the reading.</param>
internal sealed record Watermark(string Alarm, double High, double Low, Func<double, string> Message)
{
    /// <summary>Details beside usage and marks.</summary>
    public Action<JsonObject>? Describe { get; init; }
}

/// <inheritdoc cref="Watermark"/>
/// <param name="read">What is watched, in percent.</param>
internal sealed class WatermarkCheck(AlarmBook book, TimeSpan period, Watermark mark, Func<double> read) : IAlarmCheck
{
    public TimeSpan Period => period;

    public Task LookAsync()
    {
        var usage = read();
        if (usage > mark.High) book.Set(mark.Alarm, true, mark.Message(usage), () => DetailsOf(usage));
        else if (usage < mark.Low || mark.Low >= mark.High) book.Deactivate(mark.Alarm);
        return Task.CompletedTask;
    }

    private JsonObject DetailsOf(double usage)
    {
        var details = new JsonObject { ["usage"] = Math.Round(usage, 2), ["high_watermark"] = mark.High };
        if (mark.Low < mark.High) details["low_watermark"] = mark.Low;
        mark.Describe?.Invoke(details);
        return details;
    }
}
