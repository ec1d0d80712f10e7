/* Reports over HTTP: handlers for the table in routes.c. */
#ifndef DEN_API_API_REPORTS_H
#define DEN_API_API_REPORTS_H

#include "api/http_request.h"

enum MHD_Result den_route_reports_list(struct den_request *request);
enum MHD_Result den_route_reports_create(struct den_request *request);
enum MHD_Result den_route_report_get(struct den_request *request);
enum MHD_Result den_route_report_change(struct den_request *request);
enum MHD_Result den_route_report_delete(struct den_request *request);
enum MHD_Result den_route_report_csv(struct den_request *request);
enum MHD_Result den_route_report_markdown(struct den_request *request);

#endif
