using System.Globalization;
using System.Reflection;
using System.Text;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>Publishes the `$SYS/brokers/…` topics of EMQ X 4.x: who runs, since when, and what was counted.</summary>
internal sealed class SysPublisher(
    MessageRouter router, GatewayLoops loops, BrokerGauges gauges, StartTime start, INodeClient nodes, IOptions<MqttOptions> mqtt, IOptions<GatewayOptions> gateway, TimeProvider time)
    : BackgroundService
{
    private readonly MqttOptions options = mqtt.Value;
    private readonly string node = gateway.Value.NodeName;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.SysInterval == TimeSpan.Zero) return;
        await Task.WhenAll(EveryAsync(options.SysInterval, PublishAll, stoppingToken), EveryAsync(options.SysHeartbeat, PublishHeartbeat, stoppingToken));
    }

    private async Task EveryAsync(TimeSpan period, Action publish, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            do loops.All[0].Loop.Execute(publish);
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private void PublishHeartbeat()
    {
        Publish("uptime", start.Uptime, retain: false);
        Publish("datetime", LocalTime.Format(time.GetUtcNow(), time.LocalTimeZone), retain: false);
    }

    private void PublishAll()
    {
        Publish(null, string.Join(',', nodes.Members.Select(member => member.Name)), retain: true);
        Publish("version", Assembly.GetExecutingAssembly().GetName().Version!.ToString(3), retain: true);
        Publish("sysdescr", "Broker", retain: true);
        foreach (var (name, value) in MetricNames.ReadAll()) Publish("metrics/" + name.Replace('.', '/'), Text(value), retain: false);
        foreach (var (name, count, max) in gauges.ReadAll())
        {
            PublishStat(name + ".count", count);
            PublishStat(name + ".max", max);
        }
    }

    /// <summary>Publishes something besides, unless `$SYS` topics are off. Any thread.</summary>
    /// <param name="name">What follows the node's name in the topic.</param>
    public void PublishSoon(string name, string payload)
    {
        if (options.SysInterval > TimeSpan.Zero) loops.All[0].Run(() => Publish(name, payload, retain: false));
    }

    /// <summary>EMQ X's documents write slashes, its code dots: both find it.</summary>
    private void PublishStat(string name, long value)
    {
        Publish("stats/" + name, Text(value), retain: false);
        Publish("stats/" + name.Replace('.', '/'), Text(value), retain: false);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private void Publish(string? name, string payload, bool retain) => router.PublishSystem(loops.All[0], new ApplicationMessage
    {
        Topic = TopicName.Parse(name is null ? "$SYS/brokers" : $"$SYS/brokers/{node}/{name}"),
        Payload = Encoding.UTF8.GetBytes(payload),
        Retain = retain,
    });
}
