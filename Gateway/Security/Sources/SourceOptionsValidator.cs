using System.Security.Cryptography;
using Broker.Gateway.Security.Passwords;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Sources;

/// <summary>Stops the start at settings of a source that cannot be used, which are told all at once.</summary>
/// <param name="section">Where the options come from.</param>
/// <param name="isUsed">Whether the source is configured at all; what is not used may be anything.</param>
/// <param name="usualPort">Of its server.</param>
/// <param name="faults">What else is wrong: the key, and what is to be said of it.</param>
internal sealed class SourceOptionsValidator<T>(string section, Func<T, bool> isUsed, int usualPort, Func<T, IEnumerable<(string Key, string Fault)>> faults) : IValidateOptions<T>
    where T : TlsClientOptions
{
    public ValidateOptionsResult Validate(string? name, T options)
    {
        if (!isUsed(options)) return ValidateOptionsResult.Skip;
        string[] all = [.. Common(options).Concat(faults(options)).Select(one => $"{section}:{one.Key}{one.Fault}.")];
        return all.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(all);
    }

    private IEnumerable<(string Key, string Fault)> Common(T options)
    {
        (string Key, string File)[] missing = [.. options.Files.Where(one => one.File.Length > 0 && !File.Exists(one.File))];
        foreach (var (key, file) in missing) yield return (key, $" = {file}: there is no such file");
        if (missing.Length == 0 && FaultOf(() => TlsClient.Make(options)) is { } tls) yield return (nameof(options.Tls), $": {tls}");
        if (options is not ServerOptions server) yield break;
        if (server is UserStoreOptions store && !PasswordHash.TryParse(store.PasswordHash, out _))
        {
            yield return (nameof(store.PasswordHash), $" = '{store.PasswordHash}' is no hash such as plain, sha256, salt,sha256, bcrypt or pbkdf2,sha256,10000,32");
        }

        if (FaultOf(() => server.Servers(usualPort)) is { } fault) yield return (nameof(server.Server), $": {fault}");
    }

    private static string? FaultOf(Func<object> read)
    {
        try
        {
            _ = read();
            return null;
        }
        catch (Exception fault) when (fault is FormatException or CryptographicException or IOException)
        {
            return fault.Message;
        }
    }
}
