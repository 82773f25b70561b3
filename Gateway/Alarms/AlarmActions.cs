using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Topics;
using DotNetty.Common.Concurrency;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Alarms;

/// <summary>What follows an alarm: a line in the log, and messages to `$SYS/brokers/NODE/alarms/…`.</summary>
internal sealed partial class AlarmActions(MessageRouter router, GatewayLoops loops, NodeIdentity self, IOptions<AlarmOptions> options, ILogger<AlarmBook> log)
{
    private static readonly MessageProperties Json = new() { ContentType = "application/json" };
    private readonly bool logs = options.Value.Does("log");
    private readonly bool publishes = options.Value.Does("publish");

    /// <summary>Does what is to be done from now on.</summary>
    public void Follow(AlarmBook book) => book.Changed += Act;

    private void Act(Alarm alarm)
    {
        var isActive = alarm.DeactivatedAt is null;
        if (logs && isActive) LogActivated(log, alarm.Name, alarm.Message, alarm.Details.ToJsonString());
        if (logs && !isActive) LogDeactivated(log, alarm.Name);
        if (!publishes) return;
        Publish(isActive ? "activate" : "deactivate", AlarmJson.Serialize(json => AlarmJson.Write(json, alarm, null)));
        // For those who were written for 4.0 and 4.1.
        Publish(isActive ? "alert" : "clear", AlarmJson.Serialize(json => AlarmJson.WriteOld(json, alarm)));
    }

    private void Publish(string what, byte[] payload)
    {
        var loop = loops.All[0];
        var message = new ApplicationMessage { Topic = TopicName.Parse($"$SYS/brokers/{self.Name}/alarms/{what}"), Payload = payload, Properties = Json };
        try
        {
            loop.Loop.Execute(() => router.PublishSystem(loop, message));
        }
        catch (RejectedExecutionException)
        {
            // The gateway has stopped: nobody is left to hear it.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Alarm {Name}: {Message} {Details}")]
    private static partial void LogActivated(ILogger log, string name, string message, string details);

    [LoggerMessage(2, LogLevel.Information, "Alarm {Name} is over")]
    private static partial void LogDeactivated(ILogger log, string name);
}
