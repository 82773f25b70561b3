using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Broker.Gateway.Security.Sources.Sql;

/// <summary>A query of the operator's, in which a placeholder alone between single quotes, such as `'%u'`, is a parameter. It is never put into the text.</summary>
internal sealed partial class SqlQuery
{
    private readonly string text;
    private readonly string placeholders;

    private SqlQuery(string text, string placeholders) => (this.text, this.placeholders) = (text, placeholders);

    /// <summary>Reads a query.</summary>
    /// <param name="fault">The placeholder that is not known.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out SqlQuery? query, [NotNullWhen(false)] out string? fault)
    {
        (query, fault) = (null, null);
        var names = "";
        var unknown = "";
        var withParameters = Quoted().Replace(text, match =>
        {
            var name = match.Groups[1].Value[0];
            if (!Placeholders.Known.Contains(name, StringComparison.Ordinal)) unknown = match.Value;
            names += name;
            return string.Create(CultureInfo.InvariantCulture, $"@p{names.Length - 1}");
        });
        if (unknown.Length > 0)
        {
            fault = $"{unknown} is no placeholder: there are '%{string.Join("', '%", Placeholders.Known.AsEnumerable())}'";
            return false;
        }

        query = new SqlQuery(withParameters, names);
        return true;
    }

    /// <summary>What it depends on of a client.</summary>
    public string KeyOf(ClientInfo client) => CacheKey.Of(placeholders.Select(name => Placeholders.Resolve(name, client)));

    /// <summary>Runs it on a connection, for as long as commands of that may take.</summary>
    /// <remarks>It takes no token: drivers cancel a command on another connection, and block the thread that cancels until the server has answered there.</remarks>
    public async Task<DbDataReader> ExecuteAsync(DbConnection connection, ClientInfo client)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        for (var i = 0; i < placeholders.Length; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = string.Create(CultureInfo.InvariantCulture, $"p{i}");
            parameter.Value = (object?)Placeholders.Resolve(placeholders[i], client) ?? DBNull.Value;
            parameter.DbType = System.Data.DbType.String;
            command.Parameters.Add(parameter);
        }

        return await command.ExecuteReaderAsync();
    }

    [GeneratedRegex("'%([A-Za-z])'")]
    private static partial Regex Quoted();
}
