using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Gateway.Admin.Audit;

/// <summary>One change, or one failed login: a line of the audit file, and a row of `/api/v5/audit`.</summary>
internal sealed record AuditEntry
{
    /// <summary>When it was answered: ISO 8601 in UTC, to the millisecond.</summary>
    public required string At { get; init; }

    public required string Node { get; init; }

    /// <summary>The application, or the dashboard's user; of a failed login who was claimed.</summary>
    public required string User { get; init; }

    /// <summary>`management` or `dashboard`.</summary>
    public required string Port { get; init; }

    public string? Address { get; init; }

    public required string Method { get; init; }

    /// <summary>EMQ X's name of it.</summary>
    public required string Endpoint { get; init; }

    public required string Path { get; init; }

    /// <summary>The HTTP status.</summary>
    public int Status { get; init; }

    /// <summary>The answer's code, 0 when it was done; null if it had none.</summary>
    public int? Code { get; init; }

    /// <summary>Why it was not done.</summary>
    public string? Message { get; init; }

    public double DurationMs { get; init; }

    /// <summary>The query string's parameters, without secrets.</summary>
    public JsonElement? Query { get; init; }

    /// <summary>What was sent, without secrets; a text of its beginning if that is too long.</summary>
    public JsonElement? Body { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditEntry))]
internal sealed partial class AuditJson : JsonSerializerContext;
