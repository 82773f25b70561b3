using System.ComponentModel.DataAnnotations;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Modules;

/// <summary>To what every client is subscribed when it connects.</summary>
internal sealed class AutoSubscribeOptions
{
    public const string Section = "AutoSubscribe";

    public AutoSubscription[] Topics { get; set; } = [];
}

/// <summary>Checks each of them.</summary>
internal sealed class AutoSubscribeValidator : IValidateOptions<AutoSubscribeOptions>
{
    public ValidateOptionsResult Validate(string? name, AutoSubscribeOptions options)
    {
        string[] faults =
        [
            .. options.Topics.SelectMany((one, at) => new AnnotatedOptionsValidator<AutoSubscription>($"{AutoSubscribeOptions.Section}:{nameof(options.Topics)}:{at}").Validate(name, one).Failures ?? []),
            .. options.Topics.SelectMany((one, at) => TopicFilter.TryParse(one.Topic, out _) || one.Topic.Length == 0 ? Array.Empty<string>() : [$"{AutoSubscribeOptions.Section}:{nameof(options.Topics)}:{at}:Topic = '{one.Topic}' is not allowed: it must be a topic filter."]),
        ];
        return faults.Length > 0 ? ValidateOptionsResult.Fail(faults) : ValidateOptionsResult.Success;
    }
}

/// <summary>One of these subscriptions.</summary>
internal sealed class AutoSubscription
{
    /// <summary>The filter; a whole level may be `%c` or `%u`, the client's identifier or user name.</summary>
    [Required]
    public string Topic { get; set; } = "";

    [Range(0, 2)]
    public int Qos { get; set; }

    /// <summary>The options of 5.0, for clients that speak it.</summary>
    public bool NoLocal { get; set; }

    public bool RetainAsPublished { get; set; }

    [Range(0, 2)]
    public int RetainHandling { get; set; }
}

/// <summary>Subscribes clients when they connect. No access rule is asked, and they are not told.</summary>
internal sealed partial class AutoSubscribe(Modules modules, SubscriptionHandler subscriptions, IOptionsMonitor<AutoSubscribeOptions> options, ILogger<AutoSubscribe> log)
{
    private readonly Module module = modules.Find(Modules.AutoSubscribe)!;

    /// <summary>A client has been accepted. On its event loop.</summary>
    public void Accepted(Connection connection)
    {
        if (options.CurrentValue.Topics.Length > 0 && modules.IsActive(module)) _ = connection.Reading.RunAsync(() => SubscribeAsync(connection));
    }

    private async ValueTask SubscribeAsync(Connection connection)
    {
        foreach (var one in options.CurrentValue.Topics)
        {
            if (Expand(one.Topic, connection.Client!) is not { } filter)
            {
                LogSkipped(log, one.Topic, connection.Client!.ClientId, "a name that it asks for is missing, or holds a wildcard");
                continue;
            }

            var asked = new SubscriptionOptions((Qos)one.Qos);
            if (connection.IsV5) asked = asked with { NoLocal = one.NoLocal, RetainAsPublished = one.RetainAsPublished, RetainHandling = (RetainHandling)one.RetainHandling };
            var code = await subscriptions.AddAsync(connection, filter, asked);
            if (code >= ReasonCode.UnspecifiedError && !connection.IsEnding) LogSkipped(log, one.Topic, connection.Client!.ClientId, code.ToString());
        }
    }

    /// <returns>Null if the client lacks what the filter asks for, or would widen the filter with it.</returns>
    private static string? Expand(string topic, ClientInfo client)
    {
        var levels = topic.Split('/');
        for (var at = 0; at < levels.Length; at++)
        {
            if (levels[at] is not ("%c" or "%u")) continue;
            var name = levels[at] == "%c" ? client.ClientId : client.UserName;
            if (string.IsNullOrEmpty(name) || Placeholders.HasWildcard(name)) return null;
            levels[at] = name;
        }

        return string.Join('/', levels);
    }

    [LoggerMessage(1, LogLevel.Warning, "AutoSubscribe: {Topic} is left out for client {ClientId}: {Reason}")]
    private static partial void LogSkipped(ILogger log, string topic, string clientId, string reason);
}
