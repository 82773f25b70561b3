using System.Net;
using System.Text.Json;
using Broker.Gateway.Security.Guard;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Admin.Audit;

/// <summary>Writes down what came over the HTTP API and what was answered: every change in the log and in the audit file, and failed logins.</summary>
internal sealed partial class Auditor(AuditLog entries, NodeIdentity self, IOptions<AuditOptions> options, TimeProvider time, ILogger<ApiServer> log)
{
    /// <summary>Failed logins that are kept a minute, from everywhere together: strangers must not push changes out.</summary>
    private const int MostFailures = 60;
    private readonly WindowCounts<int> failures = new(1, TimeSpan.FromMinutes(1), int.MaxValue, time);

    /// <summary>A change was made, or was not.</summary>
    /// <param name="body">What was sent; null if it was nothing, or no JSON.</param>
    /// <param name="started">When the call came, as <see cref="TimeProvider.GetTimestamp"/> has it.</param>
    /// <returns>Ends when it is kept.</returns>
    public Task ChangedAsync(HttpContext context, ApiEndpoint endpoint, string user, JsonElement? body, ApiAnswer answer, long started)
    {
        LogChange(log, endpoint.Name, Clean(context.Request.Path.Value ?? ""), Clean(user), AddressOf(context), answer.Status);
        if (endpoint.IsFrequent && options.Value.IgnoreFrequent) return Task.CompletedTask;
        return entries.AddAsync(Describe(context, endpoint, user, answer, started) with { Query = Redaction.Of(context.Request.Query), Body = body is { } sent ? Redaction.Of(sent) : null });
    }

    /// <summary>Somebody was not who it says.</summary>
    /// <inheritdoc cref="ChangedAsync"/>
    public Task RefusedAsync(HttpContext context, ApiEndpoint endpoint, string user, ApiAnswer answer, long started)
    {
        if (failures.Add(0) > MostFailures)
        {
            BrokerCounters.Add(Metric.AuditRefused);
            return Task.CompletedTask;
        }

        LogRefused(log, endpoint.Name, Clean(context.Request.Path.Value ?? ""), Clean(user), AddressOf(context));
        return entries.AddAsync(Describe(context, endpoint, user, answer, started));
    }

    private AuditEntry Describe(HttpContext context, ApiEndpoint endpoint, string user, ApiAnswer answer, long started) => new()
    {
        At = AuditTime.Format(time.GetUtcNow()),
        Node = self.Name,
        User = user.Length <= 256 ? user : user[..256],
        Port = ApiAccess.IsDashboard(context) ? "dashboard" : "management",
        Address = AddressOf(context)?.ToString(),
        Method = endpoint.Method,
        Endpoint = endpoint.Name,
        Path = Limit(context.Request.Path.Value ?? ""),
        Status = answer.Status,
        Code = answer.Code,
        Message = answer.Reason is { } reason ? Limit(reason) : null,
        DurationMs = Math.Round(time.GetElapsedTime(started).TotalMilliseconds, 1),
    };

    private static IPAddress? AddressOf(HttpContext context) => context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } from ? from.MapToIPv4() : context.Connection.RemoteIpAddress;

    /// <summary>One line, whatever strangers call themselves.</summary>
    private static string Clean(string text) => string.Concat(Limit(text).Select(one => char.IsControl(one) ? '?' : one));

    private static string Limit(string text) => text.Length <= 1024 ? text : text[..1024];

    [LoggerMessage(2, LogLevel.Information, "Audit: {Endpoint} {Path} by {User} from {Address}: {Status}")]
    private static partial void LogChange(ILogger log, string endpoint, string path, string user, IPAddress? address, int status);

    [LoggerMessage(3, LogLevel.Information, "Audit: {Endpoint} {Path} refused to {User} from {Address}")]
    private static partial void LogRefused(ILogger log, string endpoint, string path, string user, IPAddress? address);
}
