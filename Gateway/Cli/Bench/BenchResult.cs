namespace Broker.Gateway.Cli.Bench;

/// <summary>The counts at one moment.</summary>
/// <param name="At">Of <see cref="BenchClock"/>.</param>
/// <param name="Tried">Clients whose connecting has ended, well or not.</param>
internal sealed record BenchSample(
    long At, int Tried, int Connected, long Sent, long Acknowledged, long Received, long HeldBack, LatencySnapshot Connect, LatencySnapshot Acknowledge, LatencySnapshot Deliver, KeyValuePair<string, long>[] Errors)
{
    public double SecondsSince(BenchSample earlier) => Math.Max((At - earlier.At) / 1e9, 1e-3);
}

/// <summary>What a benchmark has shown.</summary>
/// <param name="Held">When all were connected.</param>
/// <param name="Ended">When it was over, before what was under way had arrived.</param>
/// <param name="Last">After that.</param>
internal sealed record BenchResult(BenchOptions Options, BenchSample Began, BenchSample Held, BenchSample Ended, BenchSample Last, KeyValuePair<string, long>[] Errors)
{
    /// <summary>An error makes it fail; if nobody was let in for want of a connection, the broker was not reached.</summary>
    public ExitCode Code => Errors.Length == 0 ? ExitCode.Done
        : Last.Connect.Count == 0 && Errors.All(error => error.Key.StartsWith("connect:", StringComparison.Ordinal)) ? ExitCode.Unreachable : ExitCode.Refused;

    private double Seconds => Ended.SecondsSince(Held);

    public double SentRate => (Ended.Sent - Held.Sent) / Seconds;

    public double ReceivedRate => (Ended.Received - Held.Received) / Seconds;

    public string ToJson() => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("bench", Options.Kind.ToString().ToLowerInvariant());
        json.WriteNumber("clients", Last.Tried);
        json.WriteNumber("connected", Last.Connect.Count);
        json.WriteNumber("connected_at_end", Ended.Connected);
        json.WriteNumber("connect_seconds", Math.Round(Held.SecondsSince(Began), 3));
        json.WriteNumber("connects_per_second", Math.Round(Held.Connect.Count / Held.SecondsSince(Began), 1));
        json.WriteNumber("seconds", Math.Round(Seconds, 3));
        json.WriteNumber("sent", Last.Sent);
        json.WriteNumber("acknowledged", Last.Acknowledged);
        json.WriteNumber("received", Last.Received);
        json.WriteNumber("held_back", Last.HeldBack);
        json.WriteNumber("sent_per_second", Math.Round(SentRate, 1));
        json.WriteNumber("received_per_second", Math.Round(ReceivedRate, 1));
        foreach (var (name, times) in Histograms)
        {
            json.WriteStartObject($"{name}_us");
            json.WriteNumber("count", times.Count);
            foreach (var (part, label) in Parts) json.WriteNumber(label, Math.Round(times.Microseconds(part), 1));
            json.WriteEndObject();
        }

        json.WriteStartObject("errors");
        foreach (var (reason, count) in Errors) json.WriteNumber(reason, count);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    public IEnumerable<string> ToLines()
    {
        yield return $"clients      {Last.Tried}, connected {Last.Connect.Count} in {Held.SecondsSince(Began):0.0} s ({Held.Connect.Count / Held.SecondsSince(Began):0}/s), at the end {Ended.Connected}";
        if (Options.Publishes) yield return $"sent         {Last.Sent} ({SentRate:0}/s over {Seconds:0.0} s){(Options.Qos > 0 ? $", acknowledged {Last.Acknowledged}" : "")}{(Last.HeldBack > 0 ? $", held back {Last.HeldBack}" : "")}";
        if (Options.Kind is BenchKind.Sub or BenchKind.PubSub) yield return $"received     {Last.Received} ({ReceivedRate:0}/s over {Seconds:0.0} s)";
        foreach (var (name, times) in Histograms) yield return $"{name,-12} {string.Join("  ", Parts.Select(part => $"{part.Label} {Time(times.Microseconds(part.Part))}"))}";
        foreach (var (reason, count) in Errors.OrderByDescending(error => error.Value)) yield return $"error        {count} x {Output.JsonRows.Harmless(reason)}";
    }

    internal static string Time(double microseconds) => microseconds >= 1_000_000 ? $"{microseconds / 1_000_000:0.00} s" : microseconds >= 1000 ? $"{microseconds / 1000:0.0} ms" : $"{microseconds:0} us";

    private static (double Part, string Label)[] Parts => [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"), (1, "max")];

    private IEnumerable<(string Name, LatencySnapshot Times)> Histograms
    {
        get
        {
            if (Last.Connect.Count > 0) yield return ("connect", Last.Connect);
            if (Last.Acknowledge.Count > 0) yield return ("acknowledge", Last.Acknowledge);
            if (Last.Deliver.Count > 0) yield return ("deliver", Last.Deliver);
        }
    }
}
