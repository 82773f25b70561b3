using System.Globalization;
using System.Text;
using System.Text.Json;
using Broker.Gateway.Security.Scram;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/sasl`: the broker's own SCRAM users, by mechanism.</summary>
internal sealed class Sasl(ScramAccess access, ScramUsers users) : IApiResource
{
    /// <summary>The client does them at every login.</summary>
    private const int MostIterations = 1_000_000;

    private const string Unsupported = "unsupported_mechanism";
    private const string Missing = "missing_required_param";
    private const string NotFound = "not_found";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly string[] Names = ["mechanism", "username"];
    private static readonly string[] Members = ["mechanism!", "username!", "password!", "salt!", "iteration_count"];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/sasl", "get", "The SCRAM users, or one of them", call => Task.FromResult(Show(call))) { Filters = Names },
        new("POST", "/sasl", "add", "Add a SCRAM user", call => PutAsync(call, RecordCondition.IfAbsent)) { Members = Members },
        new("PUT", "/sasl", "update", "Change a SCRAM user's password", call => PutAsync(call, RecordCondition.IfPresent)) { Members = Members },
        new("DELETE", "/sasl", "delete", "Remove a SCRAM user", RemoveAsync) { Filters = Names },
    ];

    private ApiAnswer Show(ApiCall call)
    {
        if (call.Find("mechanism") is not { } name) return ApiAnswer.Data(json => WriteAll(json));
        if (ScramMechanism.Find(name) is not { } mechanism) return ApiAnswer.Fault(Unsupported);
        if (call.Find("username") is not { } user) return ApiAnswer.Data(json => WriteNames(json, mechanism));
        return users.Find(ScramUsers.KeyOf(mechanism, user)) is { Value: var credentials } ? ApiAnswer.Data(json => Write(json, user, credentials)) : ApiAnswer.Fault(NotFound);
    }

    private void WriteAll(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var mechanism in ScramMechanism.All) WriteNames(json, mechanism);
        json.WriteEndArray();
    }

    private void WriteNames(Utf8JsonWriter json, ScramMechanism mechanism)
    {
        var prefix = ScramUsers.KeyOf(mechanism, "");
        json.WriteStartObject();
        json.WriteStartArray(mechanism.Name);
        foreach (var key in users.All.Select(entry => entry.Key).Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)) json.WriteStringValue(key[prefix.Length..]);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string user, ScramCredentials credentials)
    {
        json.WriteStartObject();
        json.WriteString("username", user);
        json.WriteBase64String("stored_key", credentials.StoredKey);
        json.WriteBase64String("server_key", credentials.ServerKey);
        json.WriteString("salt", TextOf(credentials.Salt));
        json.WriteNumber("iteration_count", credentials.Iterations);
        json.WriteEndObject();
    }

    /// <summary>A salt as it was given; one that was made here is no text and is shown as base64.</summary>
    private static string TextOf(byte[] salt)
    {
        try
        {
            return Strict.GetString(salt);
        }
        catch (DecoderFallbackException)
        {
            return Convert.ToBase64String(salt);
        }
    }

    private async Task<ApiAnswer> PutAsync(ApiCall call, RecordCondition condition)
    {
        if (call.Find("mechanism") is not { } name) return ApiAnswer.Fault(Missing);
        if (ScramMechanism.Find(name) is not { } mechanism) return ApiAnswer.Fault(Unsupported);
        foreach (var required in new[] { "username", "password", "salt" })
        {
            if (call.Find(required) is null) return ApiAnswer.Fault(Missing);
            if (call.FindText(required) is not { Length: > 0 }) return ApiAnswer.Fault($"invalid_{required}");
        }

        var iterations = ScramCredentials.FewestIterations;
        if (call.Find("iteration_count") is { } count
            && (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out iterations) || iterations is < ScramCredentials.FewestIterations or > MostIterations)) return ApiAnswer.Fault("invalid_iteration_count");
        var outcome = await access.PutAsync(mechanism, call.Find("username")!, call.Find("password")!, iterations, condition, Encoding.UTF8.GetBytes(call.Find("salt")!));
        return outcome switch
        {
            RecordOutcome.Exists => ApiAnswer.Fault("already_existed"),
            RecordOutcome.Missing => ApiAnswer.Fault(NotFound),
            _ => ApiAnswer.Done,
        };
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call)
    {
        if (call.Find("mechanism") is not { } name) return ApiAnswer.Fault(Missing);
        if (ScramMechanism.Find(name) is not { } mechanism) return ApiAnswer.Fault(Unsupported);
        if (call.Find("username") is not { } user) return ApiAnswer.Fault(Missing);
        return await access.RemoveAsync(mechanism, user) == RecordOutcome.Missing ? ApiAnswer.Fault(NotFound) : ApiAnswer.Done;
    }
}
