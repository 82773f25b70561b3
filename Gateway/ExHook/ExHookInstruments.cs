using System.Diagnostics.Metrics;

namespace Broker.Gateway.ExHook;

/// <summary>What is counted of hook servers. Meter <see cref="MeterName"/>, tags `server` and `hook`.</summary>
internal sealed class ExHookInstruments
{
    /// <summary>The meter to listen to.</summary>
    public const string MeterName = "Broker.ExHook";

    private readonly Counter<long> requests;

    public ExHookInstruments(IMeterFactory meters)
    {
        Meter = meters.Create(MeterName);
        requests = Meter.CreateCounter<long>("broker.exhook.requests", "{request}", "Requests to hook servers, by outcome: success, error, timeout or full.");
    }

    /// <summary>The meter itself, for tests to listen to one broker of many.</summary>
    internal Meter Meter { get; }

    public void Add(string server, string hook, string outcome) => requests.Add(1, new("server", server), new("hook", hook), new("outcome", outcome));
}
