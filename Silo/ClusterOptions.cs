using System.ComponentModel.DataAnnotations;
using Broker.Grains.Storage.MySql;
using Microsoft.Extensions.Options;

namespace Broker.Silo;

/// <summary>The database that makes several processes one cluster.</summary>
internal sealed class ClusterOptions
{
    public const string Section = "Cluster";

    /// <summary>Connection string of a MySQL 8 or MariaDB 10.11 database, such as `Server=db;Database=broker;User ID=broker`.
    /// Without one the process is alone, on SQLite.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>A file that holds the password and nothing else; it replaces one in the connection string.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>Names the cluster among those that share a database server's membership tables. Processes with another name do not see each other.</summary>
    [RegularExpression("[A-Za-z0-9._-]{1,100}")]
    public string Id { get; set; } = "broker";

    /// <summary>False without a connection string.</summary>
    public bool IsShared => !string.IsNullOrEmpty(ConnectionString);

    /// <summary>The connection string with the password. Not for logs.</summary>
    /// <exception cref="IOException">The password file cannot be read.</exception>
    public string Connection() =>
        PasswordFile is { Length: > 0 } file ? ConnectionText.WithPassword(ConnectionString!, File.ReadAllText(file).TrimEnd('\r', '\n')) : ConnectionString!;
}

/// <summary>Finds out at start what no annotation can say. Never repeats the connection string: it may hold the password.</summary>
internal sealed class ClusterOptionsValidator : IValidateOptions<ClusterOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterOptions options)
    {
        if (!options.IsShared) return ValidateOptionsResult.Success;
        if (ConnectionText.Fault(options.ConnectionString!) is { } fault) return ValidateOptionsResult.Fail($"Cluster:ConnectionString is not allowed: {fault}.");
        try
        {
            _ = options.Connection();
            return ValidateOptionsResult.Success;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ValidateOptionsResult.Fail($"Cluster:PasswordFile = '{options.PasswordFile}' is not allowed: {error.Message}");
        }
    }
}
