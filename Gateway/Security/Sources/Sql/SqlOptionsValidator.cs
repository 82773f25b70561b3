using Broker.Gateway.Security.Passwords;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Sources.Sql;

/// <summary>Stops the start at queries, hashes and files that cannot be used.</summary>
/// <param name="section">Where the options come from.</param>
internal sealed class SqlOptionsValidator<T>(string section) : IValidateOptions<T>
    where T : SqlOptions
{
    public ValidateOptionsResult Validate(string? name, T options)
    {
        if (options.Server.Length == 0) return ValidateOptionsResult.Skip;
        var faults = new List<string>();
        foreach (var (key, query) in new[] { ("AuthQuery", options.AuthQuery), ("SuperQuery", options.SuperQuery), ("AclQuery", options.AclQuery) })
        {
            if (!SqlQuery.TryParse(query, out _, out var fault)) faults.Add($"{section}:{key}: {fault}.");
        }

        if (!PasswordHash.TryParse(options.PasswordHash, out _)) faults.Add($"{section}:PasswordHash = '{options.PasswordHash}' is no hash such as plain, sha256, salt,sha256, bcrypt or pbkdf2,sha256,10000,32.");
        foreach (var (key, file) in new[] { ("PasswordFile", options.PasswordFile), ("CaFile", options.CaFile) })
        {
            if (file.Length > 0 && !File.Exists(file)) faults.Add($"{section}:{key} = {file}: there is no such file.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
