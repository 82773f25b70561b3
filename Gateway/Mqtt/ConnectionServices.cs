using Broker.Gateway.History;
using Broker.Gateway.Hooks;
using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Gateway.Modules;
using Broker.Gateway.Mqtt.Limits;
using Broker.Gateway.Security;
using Broker.Gateway.Security.Guard;
using Broker.Gateway.Sessions;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Plugins;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Mqtt;

/// <summary>What every connection needs of the gateway. One instance for all.</summary>
internal sealed record ConnectionServices(
    NodeRole Role,
    IOptionsMonitor<MqttOptions> Mqtt,
    Authentication Authentication,
    Authorization Authorization,
    FlightRecorder Recorder,
    MessageRouter Router,
    ClientRegistryLinks Registry,
    SessionOpener Sessions,
    SubscriptionHandler Subscriptions,
    ConnectionModules Modules,
    RoutingQuotas Quotas,
    ConnectGuard Guard,
    ConnectionTable Connections,
    HandshakeAdmission Admission,
    BrokerGauges Gauges,
    IReadOnlyList<IClientObserver> Observers,
    BrokerHooks Hooks,
    ILogger Log)
{
    /// <summary>A transient session has ended with its connection.</summary>
    public void EndSession(ClientInfo client)
    {
        BrokerCounters.Add(Metric.SessionTerminated);
        ((IBrokerHooks)Hooks).SessionEnded(client.ClientId, isDiscarded: false);
    }
}
