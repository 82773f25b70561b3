namespace Broker.Tests.Protocol.Harness;

/// <summary>A broker on the transport of systems without epoll.</summary>
public sealed class PortableBrokerHost() : BrokerHost(With([]))
{
    /// <summary>Starts one with other options.</summary>
    public static Task<BrokerHost> StartAsync(Dictionary<string, string?> settings) => BrokerHost.StartAsync(With(settings));

    public override Task<BrokerHost> StartOtherAsync(Dictionary<string, string?> settings) => StartAsync(settings);

    private static Dictionary<string, string?> With(Dictionary<string, string?> settings) => new(settings) { ["Gateway:Transport"] = "portable" };
}
